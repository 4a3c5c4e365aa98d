"""The app ``people``."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Members, who prints a line when it is loaded."""

    name = "people"

    def ready(self):
        print("people: ready")
