"""What a person sees of the workspace: copies, safe to keep."""

import copy

from sandbox.events import Events
from sandbox.objects import AssistantThread, Channel, File, Mail, Message, User, View
from sandbox.totp import STEP, totp


class Reading(Events):
    def people(self) -> list[User]:
        """Everybody but the bot, by name."""
        with self.lock:
            people = [user for user in self.users.values() if not user.is_bot]
            return copy.deepcopy(sorted(people, key=lambda person: person.name))

    def channels_of(self, user: str) -> list[Channel]:
        """The person's channels, then their direct messages with the bot."""
        with self.lock:
            mine = [channel for channel in self.channels.values() if user in channel.members]
            return copy.deepcopy(sorted(mine, key=lambda channel: channel.is_im))

    def message(self, channel: str, ts: str) -> Message | None:
        with self.lock:
            return copy.deepcopy(self.history.get(channel, {}).get(ts))

    def messages(self, channel: str, viewer: str) -> list[Message]:
        """Top level, oldest first, with the viewer's ephemeral messages."""
        with self.lock:
            return copy.deepcopy([m for m in self._seen(channel, viewer) if not m.is_reply])

    def thread(self, channel: str, ts: str, viewer: str) -> list[Message]:
        """The root, then the replies, oldest first, with the viewer's ephemeral messages."""
        with self.lock:
            return copy.deepcopy([m for m in self._seen(channel, viewer) if ts in (m.ts, m.thread_ts)])

    def _seen(self, channel: str, viewer: str) -> list[Message]:

        return [m for m in self.history[channel].values() if m.ephemeral_for in (None, viewer)]

    def assistant_of(self, channel: str, thread_ts: str) -> AssistantThread | None:
        with self.lock:
            return copy.deepcopy(self.assistant_threads.get((channel, thread_ts)))

    def view_of(self, user: str) -> View | None:
        """The modal on top of the person's stack."""
        with self.lock:
            stack = self.views.get(user)
            return copy.deepcopy(stack[-1]) if stack else None

    def home_of(self, user: str) -> View | None:
        with self.lock:
            return copy.deepcopy(self.homes.get(user))

    def mail_of(self, user: str) -> list[Mail]:
        """Mail to any of the person's addresses, oldest first."""
        with self.lock:
            addresses = {address.lower() for address in self.user(user).emails}
            return [mail for mail in self.mail if mail.to in addresses]

    def totp_of(self, user: str) -> tuple[str, int] | None:
        """The authenticator's code now and the whole seconds it stays valid; None without a secret."""
        secret = self.user(user).totp_secret
        if secret is None:
            return None
        now = self.clock()
        return totp(secret, now), STEP - int(now) % STEP

    def file(self, file_id: str) -> File | None:
        with self.lock:
            return self.files.get(file_id)
