"""A routine request is asked for: its flaws, the proof of who asks, and one stage of approval after the other."""

from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from bot.routines.approving import Asked
from bot.routines.cards import whole
from bot.routines.carrying_out import note
from bot.routines.office import Part
from bot.routines.records import RequestTask, RoutineRequest, held
from bot.routines.routine import CannotBeDone, Level, Stage, Task
from store.durable import Durable, StepFailed

LATER = "The directory doesn't answer at the moment, so nothing has happened. Press the button again in a minute."
NOBODY = "Nobody is there to do it: no triage channel is set up."
NOT_ASKED = ("drafted", "proven")


class Asking(Part):
    """Of one routine. Whatever decides about a request holds its row; what was decided first counts."""

    do: Callable[..., None]
    """The durable workflow that does what is approved; set with `durable`."""

    def register(self, durable: Durable, do: Callable[..., None]) -> None:
        self.durable, self.do = durable, do
        self._asking = durable.workflow(f"{self.name}_asked", self.see_to)
        self._back = durable.workflow(f"{self.name}_unproven", self._see_to_no_proof)

    def begin(self, request: str, key: str) -> None:
        """Once for each key."""
        self.durable.start(self._asking, request, key=f"routine:{request}:{key}")

    def take_back(self, request: RoutineRequest) -> None:
        """The time of its proof is over."""
        self.durable.start(
            self._back, request.id, key=f"routine:{request.id}:unproven:{request.changed_at.isoformat()}"
        )

    def see_to(self, request: str) -> None:
        """From a whole wish to those who approve, or where nobody has to, to the doing."""
        try:
            if problem := self.step("ask", self.asked, request):
                self.say(request, f"refused {self.step('when', self._moment)}", problem)
        except StepFailed:
            self.say(request, f"later {self.step('moment', self._moment)}", LATER)
        self.show(request)
        state = self.step("state", self._state, request)
        if state == "proving" or (state == "asked" and self.routine.level is Level.L3):
            self.mail(request, "requested", "Asked for")
        if state == "fulfilling":
            self.say(request, "fulfilling", "It's approved. People have to do the rest, and I tell you once it's done.")
        if state == "approved":
            self.durable.start(self.do, request, key=f"routine:{request}:doing")

    def _moment(self) -> str:
        return f"{self._office.now():%H%M%S%f}"

    def _state(self, request: str) -> str:
        return self.read(request).state

    def asked(self, request_id: str) -> str | None:
        """Ask the next stage, or mark the request as approved; why it can't be asked for, or None."""
        office, request = self._office, self.read(request_id)
        if request.state not in (*NOT_ASKED, "asked"):
            return None
        asked: list[Asked] = []
        tasks: Sequence[Task] = ()
        try:
            if request.state in NOT_ASKED:
                if flaw := self._flaw_of(request):
                    return self._left_as_a_draft(request, flaw)
                if self.step_up.missing(request):
                    return self._proof_wanted(request)
            problem = self.not_now(request)
            stages: Sequence[Stage] = office.approving.stages(self.routine, request) if problem is None else ()
            if request.stage < len(stages):
                asked = office.approving.whom_to_ask(request, stages[request.stage])
            elif problem is None and (tasks := self._tasks(request)) and office.triage.channel() is None:
                problem = NOBODY
        except CannotBeDone as error:
            problem = str(error)
        with office.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in (*NOT_ASKED, "asked"):
                return None
            request.changed_at = office.now()
            if problem is not None:
                request.state, request.refusal = "refused", problem
                note(session, request, "ask", "denied", "refused", office.now())
                return problem
            self.open_ticket(session, request)
            request.state = "asked" if asked else "fulfilling" if tasks else "approved"
            office.approving.ask(session, request, request.stage, asked)
            self._give_out(session, request, tasks)
            note(session, request, "ask", "allowed", f"stage_{request.stage}" if asked else "approved", office.now())
        return None

    def _tasks(self, request: RoutineRequest) -> Sequence[Task]:
        """Errors: `CannotBeDone`."""
        wish = self.routine.Wish.model_validate(request.wish)
        tasks: Sequence[Task] = self.routine.tasks(wish, self._office.carrying.offers)
        return tasks

    def _give_out(self, session: Session, request: RoutineRequest, tasks: Sequence[Task]) -> None:
        for number, task in enumerate(tasks):
            session.add(
                RequestTask(
                    request=request.id,
                    number=number,
                    text=task.text,
                    due=task.due,
                    proof=task.proof,
                    given_at=self._office.now(),
                )
            )

    def _proof_wanted(self, request: RoutineRequest) -> str | None:
        """Wait for a proof that it's them; why that's of no use, or None."""
        problem = self.not_now(request)
        with self._office.database.transaction() as session:
            request = held(session, request.id)
            if request.state in NOT_ASKED:
                request.state, request.refusal = ("refused", problem) if problem else ("proving", None)
                request.changed_at = self._office.now()
                decision = "denied" if problem else "allowed"
                note(session, request, "prove", decision, getattr(problem, "code", "wanted"), request.changed_at)
        return problem

    def _see_to_no_proof(self, request: str) -> None:
        """The link's time is over: the card offers a new one."""
        self.step("unproven", self._unproven, request)
        self.show(request)

    def _unproven(self, request_id: str) -> None:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state == "proving" and self.step_up.is_over(request):
                request.state, request.changed_at = "drafted", self._office.now()
                note(session, request, "prove", "denied", "expired", request.changed_at)

    def _left_as_a_draft(self, request: RoutineRequest, flaw: str) -> str:
        with self._office.database.transaction() as session:
            request = held(session, request.id)
            if request.state == "proven":
                request.state, request.changed_at = "drafted", self._office.now()
        return f"{flaw} Fill in the form." if self.routine.Wish.model_fields else flaw

    def _flaw_of(self, request: RoutineRequest) -> str | None:
        """What is wrong with what was taken from a message. Errors: those of `Directory`, `CannotBeDone`."""
        wish = whole(self.routine, request)
        if wish is None:
            return "Something is missing."
        return next(iter(self.routine.flaws(wish, self._office.carrying.errand(request)).values()), None)
