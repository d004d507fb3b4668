"""The queues that tests make on the machine's RabbitMQ."""

from app.jobs.celery import make_celery, queue_name
from app.jobs.kinds import QUEUES
from config import Settings


def remove_queues(settings: Settings) -> None:
    """Remove the queues of one installation from the broker, with whatever waits in them."""
    with make_celery(settings).connection() as connection, connection.channel() as channel:
        for name in QUEUES:
            channel.queue_delete(queue_name(settings, name))
