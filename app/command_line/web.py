"""The web server's side of the console: `application` is what gunicorn serves, each worker its own."""

from app import create_app
from app.garbage import keep_what_is_loaded
from config import Settings

application = create_app(Settings.from_environment())
keep_what_is_loaded()
