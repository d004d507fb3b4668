"""The queue: what is done outside a request, when, and by whom.

kinds.py       every kind of job: its queue, its time limit, how often it is tried again
tasks.py       the functions that do the work, one for each kind, named like it
queue.py       `enqueue` and `status`, the same for both backends
rq.py, celery.py        the backends; rq_worker.py, rq_horse.py, celery_worker.py the processes behind them
progress.py    how a running job tells how far it has come
schedule.py    what is done periodically; scheduler.py is the process that sees to it

A job is a name and arguments that JSON can hold. It states its own actor and opens its own unit of work, and doing it
twice has the result of doing it once: a worker may be killed at any moment, and the job is then done again.
"""
