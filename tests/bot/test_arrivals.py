"""What arrives is acknowledged before the desk thinks about what came before it."""

import threading
from concurrent.futures import ThreadPoolExecutor

from bot.arrivals import Arrivals

AGES = 30.0


def test_work_begins_when_the_last_of_the_arriving_messages_is_recorded() -> None:
    arrivals, order = Arrivals(), list[str]()

    def work() -> None:
        arrivals.give_way(AGES)
        order.append("worked")

    with ThreadPoolExecutor(1) as pool:
        with arrivals.one():
            with arrivals.one():
                working = pool.submit(work)
                order.append("first recorded")
            order.append("second recorded")
        working.result(AGES)

    assert order == ["first recorded", "second recorded", "worked"]


def test_work_does_not_wait_for_ever() -> None:
    arrivals = Arrivals()
    with arrivals.one():
        arrivals.give_way(0.01)


def test_a_message_that_could_not_be_recorded_holds_nothing_up() -> None:
    arrivals = Arrivals()
    try:
        with arrivals.one():
            raise OSError
    except OSError:
        pass
    waiting = threading.Thread(target=arrivals.give_way, args=(AGES,))
    waiting.start()
    waiting.join(AGES / 2)

    assert not waiting.is_alive()
