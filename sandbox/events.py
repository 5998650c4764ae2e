"""Slack's events about messages and people, in the Events API's envelope."""

from concurrent.futures import Future

from sandbox.objects import Acknowledgement, Change, Channel, Envelope, Json, Message
from sandbox.state import State


class Events(State):
    """Sends the events that the app subscribes to and may see (it must be a member of the channel)."""

    unanswered_at: float | None = None  # when the app last left an event unacknowledged, until it takes one again

    def send_event(self, event: Json, subscription: str) -> None:
        if subscription not in self.subscriptions:
            return
        payload: Json = {
            "token": "sandbox-verification-token",
            "team_id": self.team.id,
            "context_team_id": self.team.id,
            "context_enterprise_id": None,
            "api_app_id": self.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self.new_id("Ev"),
            "event_time": int(self.clock()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.team.id,
                    "user_id": self.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
            "event_context": self.new_id("4-"),
        }
        self.deliver(Envelope("events_api", payload)).add_done_callback(self._heard)

    def _heard(self, answer: "Future[Acknowledgement]") -> None:
        """The page tells people when the app doesn't listen; only the turn to or from that is a change."""
        taken = not answer.cancelled() and answer.result().ok
        with self.lock:
            before, self.unanswered_at = self.unanswered_at, None if taken else self.clock()
            if (before is None) != taken:
                self.changed(Change("channel"))

    def _send_message_event(self, channel: Channel, event: Json) -> None:
        if self.bot_user_id not in channel.members:
            return
        kind = channel.kind
        event |= {"channel": channel.id, "channel_type": kind}
        self.send_event(event, {"im": "message.im", "group": "message.groups", "channel": "message.channels"}[kind])

    def tell_posted(self, message: Message) -> None:
        """A new message; if it mentions the bot outside of its DMs, also an app_mention with another event id."""
        channel = self.channels[message.channel]
        wire = message.to_slack() | {"event_ts": message.ts}
        mentions = f"<@{self.bot_user_id}>" in message.text and message.user != self.bot_user_id
        if mentions and not channel.is_im and self.bot_user_id in channel.members:
            shown = {key: value for key, value in wire.items() if key not in {"subtype"}}
            self.send_event(shown | {"type": "app_mention", "channel": channel.id}, "app_mention")
        self._send_message_event(channel, wire)

    def tell_changed(self, message: Message, previous: Json) -> None:
        ts = self.next_ts()
        event: Json = {
            "type": "message",
            "subtype": "message_changed",
            "message": message.to_slack() | {"source_team": self.team.id, "user_team": self.team.id},
            "previous_message": previous,
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
        }
        self._send_message_event(self.channels[message.channel], event)

    def tell_deleted(self, channel: str, previous: Json) -> None:
        ts = self.next_ts()
        event: Json = {
            "type": "message",
            "subtype": "message_deleted",
            "previous_message": previous,
            "deleted_ts": previous["ts"],
            "hidden": True,
            "ts": ts,
            "event_ts": ts,
        }
        self._send_message_event(self.channels[channel], event)
