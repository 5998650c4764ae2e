import secrets
from concurrent.futures import ThreadPoolExecutor

import pyotp

from bot.factors.factor import Occasion
from bot.factors.second_factor import Verdict
from bot.factors.totp import code_at
from tests.reset.desk import ResetDesk

ALICES = Occasion("0" * 32, "alice", "")


def nothing(*_: object) -> None:
    """No audit."""


def verdict_on(desk: ResetDesk, code: str) -> Verdict:
    return desk.reset.change.second_factor.verify(ALICES, {"code": code}, nothing)


def test_codes_are_those_of_the_authenticator_apps() -> None:
    for _ in range(200):
        seed, step = pyotp.random_base32(), secrets.randbelow(2**31)
        assert code_at(seed, step) == pyotp.TOTP(seed).generate_otp(step)


def test_short_and_unpadded_seeds_of_older_apps_work() -> None:
    assert len(code_at("JBSWY3DPEHPK3PXP", 1)) == len(code_at("JBSWY3DPEHPK3PXPJB", 1)) == 6


def test_the_step_before_and_after_are_taken_and_no_other(desk: ResetDesk) -> None:
    kinds = {ahead: verdict_on(desk, desk.code(ahead)).kind for ahead in (-1, 0, 1, 2, -2)}

    assert kinds == {-1: "right", 0: "right", 1: "right", 2: "wrong", -2: "wrong"}


def test_a_used_code_and_all_before_it_are_worth_nothing(desk: ResetDesk) -> None:
    factor = desk.reset.change.second_factor
    right = verdict_on(desk, desk.code())
    with desk.database.transaction() as session:
        assert factor.use(session, "alice", right)
    with desk.database.transaction() as session:
        assert not factor.use(session, "alice", right)

    assert verdict_on(desk, desk.code()).kind == "wrong"
    assert verdict_on(desk, desk.code(-1)).kind == "wrong"
    assert verdict_on(desk, desk.code(+1)).kind == "right"


def test_fifty_guesses_at_once_are_three(desk: ResetDesk) -> None:
    wrong = str((int(desk.code()) + 1) % 1_000_000).zfill(6)

    def guess(_: int) -> str:
        return verdict_on(desk, wrong).kind

    with ThreadPoolExecutor(10) as threads:
        kinds = list(threads.map(guess, range(50)))

    assert kinds.count("wrong") == 2
    assert kinds.count("locked") == 48
    assert verdict_on(desk, desk.code()).kind == "locked"
