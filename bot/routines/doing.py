"""An approved request is done, or undone and a human told; what was for a time is taken back at its end."""

from bot.handoff import DESK
from bot.outcomes import Handoff, HandoffReason
from bot.records import Conversation
from bot.routines.carrying_out import note
from bot.routines.office import Part
from bot.routines.records import AT_WORK, held, steps_of
from bot.routines.routine import CannotBeDone
from store.durable import StepFailed
from tickets import lifecycle

UNKNOWN = "the directory doesn't answer"
DONE, ENDED = "Done", "Its time is over, so this was taken back"


class Doing(Part):
    def do(self, request: str) -> None:
        """The durable workflow of an approved request."""
        problem = self._first_problem(request)
        if problem is not None:
            self._give_up(request, problem)
        elif self.step("done", self._done, request):
            self.say(request, "done", self.said(request, DONE))
            self.mail(request, "done", DONE)
            self.tried("hand over", self._hand_over, request)
        self.show(request)

    def _hand_over(self, request_id: str) -> None:
        """What belongs to the employee now goes to them alone, and into nothing that is kept."""
        request = self.read(request_id)
        wish = self.routine.Wish.model_validate(request.wish)
        if given := self.routine.hands_over(wish, self._office.carrying.errand(request)):
            self._office.news.say(request_id, "handed over", given)

    def end(self, request: str) -> None:
        """The durable workflow of a request whose time is over."""
        problem = self._undone(request)
        if problem is None:
            self.step("ended", self._ended, request)
            self.say(request, "ended", self.said(request, ENDED))
            self.mail(request, "ended", ENDED)
        else:
            self._leave_to_a_human(request, f"Its time is over, and it could not be taken back: {problem}")
        self.show(request)

    def _first_problem(self, request: str) -> str | None:
        try:
            problem: str | None = self.step("check", self._checked, request)
            number = 0
            while problem is None and number < self.step("count", self._count, request):
                problem = self.step(f"do {number}", self._office.carrying.do, self.routine, request, number)
                number += 1
        except StepFailed:
            return UNKNOWN
        return problem

    def _checked(self, request_id: str) -> str | None:
        """Why an approved request may not be done after all: everything that was checked before, again. What people
        have done already isn't undone by that."""
        request = self.read(request_id)
        if request.state not in AT_WORK:
            return f"it is {request.state}"
        try:
            if not self._office.carrying.steps(self.routine, request):
                return None
        except CannotBeDone as error:
            return str(error)
        return self.not_now(request) or self._office.approving.still_holds(self.routine, request)

    def _count(self, request_id: str) -> int:
        return len(self._office.carrying.steps(self.routine, self.read(request_id)))

    def _done(self, request_id: str) -> bool:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in AT_WORK:
                return request.state == "done"
            request.ends_at = self.routine.ends_at(self.routine.Wish.model_validate(request.wish), self._office.now())
            note(session, request, "carry_out", "done", "verified", self._office.now())
            if request.ticket:
                how = "Done and verified." if request.state == "doing" else "Done."
                lifecycle.resolve(session, request.ticket, agent=DESK, resolution=how, now=self._office.now())
            request.state, request.changed_at = "done", self._office.now()
        return True

    # When it can't be done

    def _give_up(self, request: str, problem: str) -> None:
        """Undo what was done, the last first; what can't be undone is a human's."""
        left = self._undone(request)
        if left is not None:
            self._leave_to_a_human(request, f"It could not be finished: {problem} And it could not be undone: {left}")
        elif self.step("failed", self._closed, request, "failed", problem):
            self.step("ticket", self.cancel_ticket, request, problem)
            self.say(request, "failed", f"It could not be done, and all is as it was: {problem}")

    def _undone(self, request: str) -> str | None:
        """Undo each step that was begun; the first problem with that, or None."""
        first: str | None = None
        for number in self.step("begun", self._office.carrying.begun, request):
            try:
                problem = self.step(f"undo {number}", self._office.carrying.undo, self.routine, request, number)
            except StepFailed:
                problem = UNKNOWN
            first = first or problem
        return first

    def _closed(self, request_id: str, state: str, why: str) -> bool:
        """False if it was stopped before anything was done."""
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in (*AT_WORK, "done"):
                return request.state == state
            request.state, request.refusal, request.changed_at = state, why, self._office.now()
            note(session, request, "carry_out", "failed", state, self._office.now())
        return True

    def _leave_to_a_human(self, request: str, why: str) -> None:
        if self.step("stuck", self._closed, request, "stuck", why):
            number = self.step("hand over", self._handed_over, request, why)
            self.tried("card of the ticket", self._office.triage.announce, number)
            self.say(request, "stuck", f"{why} A person looks after it ({number}).")

    def _handed_over(self, request_id: str, why: str) -> str:
        office = self._office
        with office.database.transaction() as session:
            request = held(session, request_id)
            begun = "; ".join(f"{step.name}: {step.state}" for step in steps_of(session, request_id))
            what = f"{self.routine.title} for {request.account} ({request.ticket})"
            summary = f"{what}. {why} So far: {begun or 'nothing'}."
            return office.triage.open(
                session,
                conversation=session.get_one(Conversation, request.conversation_id),
                turns=[],
                handoff=Handoff(HandoffReason.WORKFLOW_FAILED, summary),
                employee_name=request.name,
                account=request.account,
                opened_by=f"routine:{request_id}:stuck",
            )

    def _ended(self, request_id: str) -> None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state == "done":
                request.state, request.changed_at = "ended", self._office.now()
                note(session, request, "end", "done", "time_is_over", self._office.now())
