"""Jobs that wait for the writer: in their order, and who may join whom."""

from uproar.sqlite.jobs import Jobs, Waiting


def job(name, alone=False):
    return Waiting(name, None, alone=alone)


def test_jobs_come_in_their_order_and_one_that_stands_alone_joins_none():
    jobs = Jobs()
    for waiting in (job("a"), job("b"), job("cut", alone=True), job("c")):
        jobs.put(waiting)
    assert (jobs.first().job, jobs.more().job) == ("a", "b")
    assert jobs.more() is None
    assert (jobs.first().job, jobs.more().job) == ("cut", "c")
    assert jobs.more() is None


def test_after_the_end_there_are_those_that_came_before_and_then_none():
    jobs = Jobs()
    jobs.put(job("a"))
    jobs.close()
    assert jobs.first().job == "a"
    assert jobs.more() is None
    assert jobs.first() is None
