"""Everything is below /api/v2/."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [path("api/v2/", include("api.urls"))]
if "debug_toolbar" in settings.INSTALLED_APPS:
    urlpatterns.append(path("__debug__/", include("debug_toolbar.urls")))
