"""What waits for somebody: reminders, deputies, and an end of waiting."""

from bot.routines.carrying_out import note
from bot.routines.office import Part
from bot.routines.records import Approval, RoutineRequest, approvals_of, held


class Waiting(Part):
    def remind(self, approval: int, way: str) -> None:
        """The durable workflow of an approval that waits long: `remind`, or `deputy`."""
        if way == "deputy" and self.step("deputy", self._deputy_asked, approval):
            self.show(self.step("request", self.request_of, approval))
            return
        day = self.step("reminded", self._reminded, approval)
        self.tried("remind", self._office.news.remind, approval, day)

    def expire(self, request: str) -> None:
        """The durable workflow of a request that nobody decided, or filled in, in time."""
        if self.step("expired", self._expired, request):
            self.step("ticket", self.cancel_ticket, request, "Nobody decided in time.")
            self.say(request, "expired", "Nobody decided in time, so nothing has happened.")
            self.show(request)

    def _deputy_asked(self, approval_id: int) -> bool:
        office = self._office
        with office.database.reading() as session:
            approval = session.get_one(Approval, approval_id)
            request = session.get_one(RoutineRequest, approval.request)
        deputies = office.approving.deputies(approval, request)
        with office.database.transaction() as session:
            request = held(session, request.id)
            known = {each.account for each in approvals_of(session, request.id, approval.stage)}
            fresh = [each for each in deputies if each.person.account.casefold() not in known]
            if request.state != "asked" or not fresh:
                return False
            office.approving.ask(session, request, approval.stage, fresh)
            note(session, request, f"stage_{approval.stage}", "allowed", "deputy", office.now())
        return True

    def _reminded(self, approval_id: int) -> str:
        with self._office.database.transaction() as session:
            session.get_one(Approval, approval_id, with_for_update=True).reminded_at = self._office.now()
        return f"{self._office.now():%Y%m%d}"

    def _expired(self, request_id: str) -> bool:
        with self._office.database.transaction() as session:
            request = held(session, request_id)
            if request.state not in ("drafted", "asked"):
                return False
            request.state, request.changed_at = "expired", self._office.now()
            for approval in approvals_of(session, request_id):
                if approval.state == "waiting":
                    approval.state, approval.decided_at = "closed", self._office.now()
            note(session, request, "expire", "done", "time_is_over", self._office.now())
        return True
