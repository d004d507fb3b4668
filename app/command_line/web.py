"""The web server's side of the console: `application` is what gunicorn serves, each worker its own."""

from app import create_app
from config import Settings

application = create_app(Settings.from_environment())
