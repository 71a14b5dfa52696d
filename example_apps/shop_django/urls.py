"""The shop's addresses."""

from django.urls import path

from example_apps.shop_django import views

handler404 = views.not_found

urlpatterns = [
    path("", views.listing),
    path("product/<slug:slug>", views.product),
    path("checkout", views.checkout),
    path("buy", views.buy),
    path("thanks", views.thanks),
    path("about", views.about),
    path("api/recommendations", views.recommendations),
    path("api/price", views.price),
]
