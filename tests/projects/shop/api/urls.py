"""The same purchase in several moods."""

from django.urls import path

from api import views

urlpatterns = [
    path("health/", views.health),
    path("purchases/start/", views.start),
    path("limited/purchases/start/", views.limited),
    path("busy/purchases/start/", views.busy),
    path("careless/purchases/start/", views.careless),
]
