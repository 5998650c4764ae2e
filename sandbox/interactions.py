"""What a person does with the app's buttons, forms and commands, and what becomes of the app's answer."""

import copy
from collections.abc import Mapping
from typing import Any

from sandbox import elements
from sandbox.blockkit import view_errors
from sandbox.errors import ApiError, NoSuchThing
from sandbox.objects import Acknowledgement, Change, Channel, Envelope, Json, Message, View
from sandbox.reading import Reading

TROUBLE = "We had some trouble connecting. Try again?"


class Interactions(Reading):
    def _who(self, user_id: str) -> Json:
        user = self.user(user_id)
        return {"id": user.id, "username": user.handle, "name": user.handle, "team_id": self.team.id}

    def _interaction(self, kind: str, user: str) -> Json:
        return {
            "type": kind,
            "user": self._who(user),
            "team": {"id": self.team.id, "domain": self.team.domain},
            "api_app_id": self.app_id,
            "token": "sandbox-verification-token",
            "enterprise": None,
            "is_enterprise_install": False,
            "trigger_id": self.new_trigger(user),
        }

    def _wire_view(self, view: View) -> Json:
        return copy.deepcopy(view.to_slack(team=self.team, app_id=self.app_id, bot_id=self.bot_id))

    def _action(self, element: Json, block_id: str, value: Any) -> Json:
        said = elements.chosen(element, value)
        return {"action_id": element["action_id"], "block_id": block_id, "action_ts": self.next_ts()} | said

    def _ask(self, payload: Json) -> Acknowledgement:
        return self.deliver(Envelope("interactive", payload, accepts_response_payload=True)).result()

    def click(
        self, user: str, channel: str, message_ts: str, block_id: str, action_id: str, value: Any = None
    ) -> Acknowledgement:
        """Use an element of a message and wait for the acknowledgement. `value`: an option's value (selects, radio
        buttons, overflow), a list of them (multi-selects, checkboxes), a date, a user id, typed text, the pressed
        one's value of feedback_buttons; None for buttons."""
        with self.lock:
            message, room = self.stored(channel, message_ts), self.channel(channel)
            element = elements.element_of(message.blocks, block_id, action_id)
            action = self._action(element, block_id, value)
            values = elements.initial_values(message.blocks, message.state.setdefault(user, {}))
            if elements.holds_state(element):
                values[block_id][action_id] = elements.chosen(element, value)
            message.state[user] = values
            container: Json = {
                "type": "message",
                "message_ts": message_ts,
                "channel_id": channel,
                "is_ephemeral": message.ephemeral_for is not None,
            }
            if message.is_reply:
                container["thread_ts"] = message.thread_ts
            payload = self._interaction("block_actions", user) | {
                "container": container,
                "channel": {"id": channel, "name": "directmessage" if room.is_im else room.name},
                "state": {"values": copy.deepcopy(values)},
                "response_url": self.new_response_url(user, channel, message_ts, message.thread_ts),
                "actions": [action],
            }
            if message.ephemeral_for is None:
                payload["message"] = copy.deepcopy(message.to_slack(with_metadata=True))
        return self._ask(payload)

    def click_home(self, user: str, block_id: str, action_id: str, value: Any = None) -> Acknowledgement:
        view = self.homes.get(user)
        if view is None:
            raise NoSuchThing(f"{user} has no home tab yet")
        return self._click_in(view, block_id, action_id, value)

    def click_view(self, user: str, view_id: str, block_id: str, action_id: str, value: Any = None) -> Acknowledgement:
        return self._click_in(self.open_view(user, view_id), block_id, action_id, value)

    def _click_in(self, view: View, block_id: str, action_id: str, value: Any) -> Acknowledgement:
        with self.lock:
            element = elements.element_of(view.blocks, block_id, action_id)
            if elements.holds_state(element):
                view.values[block_id][action_id] = elements.chosen(element, value)
            payload = self._interaction("block_actions", view.user) | {
                "container": {"type": "view", "view_id": view.id},
                "view": self._wire_view(view),
                "actions": [self._action(element, block_id, value)],
            }
        return self._ask(payload)

    def open_view(self, user: str, view_id: str) -> View:
        for view in self.views.get(user, []):
            if view.id == view_id:
                return view
        raise NoSuchThing(f"{user} has no open view {view_id}")

    def submit(self, user: str, view_id: str, values: Mapping[str, Any]) -> dict[str, str] | None:
        """Submit a modal and wait for the answer. `values`: {block_id: {action_id: value}} or {block_id: value}.

        None when accepted: the modal is closed, updated or pushed upon (see `view_of`). Otherwise the errors by block
        id ("" for one that belongs to no field); the modal stays open and shows them.
        """
        with self.lock:
            view = self.open_view(user, view_id)
            self._fill_in(view, values)
            view.errors = elements.problems(view.blocks, view.values)
            payload = self._interaction("view_submission", user) | {"view": self._wire_view(view), "response_urls": []}
        if not view.errors:
            answer = self._ask(payload)
            with self.lock:
                self._apply(view, answer)
        self.changed(Change("view", user=user))
        return dict(view.errors) or None

    def _fill_in(self, view: View, values: Mapping[str, Any]) -> None:
        for block, element in elements.interactive(view.blocks):
            if not elements.holds_state(element) or block["block_id"] not in values:
                continue
            given = values[block["block_id"]]
            if isinstance(given, Mapping):
                if element["action_id"] not in given:
                    continue
                given = given[element["action_id"]]
            view.values[block["block_id"]][element["action_id"]] = elements.chosen(element, given)

    def _apply(self, view: View, answer: Acknowledgement) -> None:
        stack = self.views.get(view.user, [])
        body = answer.body if isinstance(answer.body, dict) else {}
        match body.get("response_action") if answer.ok else "failed":
            case None:
                if view in stack:
                    stack.remove(view)
            case "clear":
                stack.clear()
            case "errors" if body.get("errors"):
                view.errors = dict(body["errors"])
            case "update" | "push" as action if not view_errors(body.get("view"), "modal"):
                if action == "update":
                    self.replace_view(view, body["view"])
                else:
                    stack.append(self.new_view(view.user, body["view"], below=view))
            case _:
                view.errors = {"": TROUBLE}

    def new_view(self, user: str, body: Json, *, below: View | None = None) -> View:
        view_id = self.new_id("V")
        body = body | {"blocks": self.with_ids(body["blocks"])}
        view = View(view_id, user, body, self._hash(), below.root_view_id if below else view_id)
        view.previous_view_id = below.id if below else None
        view.values = elements.initial_values(view.blocks, {})
        return view

    def replace_view(self, view: View, body: Json) -> None:
        """Show `body` in place of what the view shows; fields with the same block and action ids keep their content."""
        view.body = body | {"blocks": self.with_ids(body["blocks"])}
        view.values = elements.initial_values(view.blocks, view.values)
        view.errors, view.hash = {}, self._hash()
        self.changed(Change("home" if view.type == "home" else "view", user=view.user))

    def _hash(self) -> str:
        return f"{self.next_ts()}.{self.new_id('')[:8]}"

    def close(self, user: str, view_id: str, *, all_views: bool = False) -> None:
        """Close a modal (all of the stack with `all_views`); the app hears of it if it asked to."""
        with self.lock:
            view = self.open_view(user, view_id)
            stack = self.views[user]
            closed = list(stack) if all_views or view.body.get("clear_on_close") else [view]
            self.views[user] = [other for other in stack if other not in closed]
            told = [each for each in closed if each.body.get("notify_on_close")]
            payloads = [
                self._interaction("view_closed", user) | {"view": self._wire_view(each), "is_cleared": len(closed) > 1}
                for each in told
            ]
        self.changed(Change("view", user=user))
        for payload in payloads:
            del payload["trigger_id"]
            self._ask(payload)

    def command(self, user: str, channel: str, command: str, text: str = "") -> Message | None:
        """Type a slash command; returns the message that came as its direct answer, if any."""
        room, person = self.channel(channel), self.user(user)
        payload: Json = {
            "token": "sandbox-verification-token",
            "team_id": self.team.id,
            "team_domain": self.team.domain,
            "channel_id": channel,
            "channel_name": "directmessage" if room.is_im else room.name,
            "user_id": user,
            "user_name": person.handle,
            "command": command,
            "text": text,
            "api_app_id": self.app_id,
            "is_enterprise_install": "false",
            "response_url": self.new_response_url(user, channel, None, None),
            "trigger_id": self.new_trigger(user),
        }
        answer = self.deliver(Envelope("slash_commands", payload, accepts_response_payload=True)).result()
        if not answer.ok:
            failure = "operation_timeout" if answer.reason == "timeout" else "dispatch_failed"
            return self.respond(room, user, {"text": f'{command} failed with the error "{failure}"'}, None)
        body = {"text": answer.body} if isinstance(answer.body, str) else answer.body
        return self.respond(room, user, body, None) if body and (body.get("text") or body.get("blocks")) else None

    def respond(self, room: Channel, user: str, body: Json, thread_ts: str | None) -> Message:
        """Post what the app answered to a command or to a response_url: for `user` alone unless "in_channel"."""
        shown = self.bot_message(room.id, body, thread_ts)
        if body.get("response_type") != "in_channel":
            shown.ephemeral_for = user
        self.add_message(shown)
        if shown.ephemeral_for is None:
            self.tell_posted(shown)
        return copy.deepcopy(shown)

    def bot_message(self, channel: str, body: Json, thread_ts: str | None) -> Message:
        message = Message(self.next_ts(), channel, self.bot_user_id, str(body.get("text") or ""), thread_ts)
        message.blocks, message.attachments = list(body.get("blocks") or []), list(body.get("attachments") or [])
        message.bot_id, message.app_id = self.bot_id, self.app_id
        message.metadata = body.get("metadata")
        return message

    def spend_response_url(self, token: str, body: Json) -> None:
        """Do what a message sent to a response_url asks. Raises ApiError when it is used up, expired or unknown."""
        with self.lock:
            target = self.response_targets.get(token)
            if target is None:
                raise ApiError("no_such_url")
            if target.uses_left < 1 or self.clock() > target.expires_at:
                raise ApiError("used_url" if target.uses_left < 1 else "expired_url")
            target.uses_left -= 1
            message = self.history[target.channel].get(target.message_ts or "")
            if body.get("delete_original") and message is not None:
                self.remove_message(message)
            elif body.get("replace_original") and message is not None:
                previous = message.to_slack()
                message.text, message.blocks = str(body.get("text") or ""), self.with_ids(body.get("blocks") or [])
                message.edited_ts, message.edited_by = self.next_ts(), self.bot_id
                self.changed(Change("channel", message.channel, message.thread_ts))
                if message.ephemeral_for is None:
                    self.tell_changed(message, previous)
            else:
                thread_ts = body.get("thread_ts") or target.thread_ts
                self.respond(self.channels[target.channel], target.user, body, thread_ts)
