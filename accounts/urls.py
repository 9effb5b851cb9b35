"""The addresses of signing in and of one's own factors, and the API of people.

Of allauth only what is needed: no sign-up, no reset by mail; its names stay, for it redirects by them.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social
from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from accounts import views
from accounts.api import alarms
from accounts.api import views as api

account_urlpatterns: list[URLPattern | URLResolver] = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/", views.OwnPassword.as_view(), name="account_change_password"),
    path("sessions/", include("allauth.usersessions.urls")),
    path("2fa/", views.Factors.as_view(), name="mfa_index"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", views.ActivateTOTP.as_view(), name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", views.DeactivateTOTP.as_view(), name="mfa_deactivate_totp"),
    path("2fa/recovery-codes/", recovery.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/generate/",
        views.GenerateRecoveryCodes.as_view(),
        name="mfa_generate_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/download/", recovery.download_recovery_codes, name="mfa_download_recovery_codes"
    ),
    path("2fa/webauthn/", webauthn.list_webauthn, name="mfa_list_webauthn"),
    path("2fa/webauthn/add/", views.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("2fa/webauthn/login/", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path(
        "2fa/webauthn/reauthenticate/", webauthn.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"
    ),
    path("2fa/webauthn/keys/<int:pk>/remove/", views.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("2fa/webauthn/keys/<int:pk>/edit/", webauthn.edit_webauthn, name="mfa_edit_webauthn"),
]

# Routed only where a provider is configured.
oidc_urlpatterns: list[URLPattern | URLResolver] = [
    path("oidc/<str:provider_id>/login/", views.identity_login, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", views.identity_callback, name="openid_connect_callback"),
    path("identities/", views.Identities.as_view(), name="socialaccount_connections"),
    path("identities/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("identities/error/", social.login_error, name="socialaccount_login_error"),
    path("identities/unknown/", social.signup, name="socialaccount_signup"),
]
if settings.SOCIALACCOUNT_PROVIDERS:
    account_urlpatterns += oidc_urlpatterns

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("alarms/", alarms.AlarmsView.as_view(), name="api_alarms"),
    path("alarms/<uuid:alarm_id>/", alarms.AlarmView.as_view(), name="api_alarm"),
    path(
        "alarms/<uuid:alarm_id>/acknowledge/", alarms.AcknowledgeView.as_view(), name="api_alarm_acknowledge"
    ),
    path("me/", api.Me.as_view(), name="api_me"),
    path("people/", api.PeopleView.as_view(), name="api_people"),
    path("tokens/", api.TokensView.as_view(), name="api_tokens"),
    path("tokens/<uuid:reference>/", api.TokenView.as_view(), name="api_token"),
    *(
        path(f"security-role/members/<uuid:member_id>/{act}/", view.as_view(), name=f"api_member_{act}")
        for act, view in {
            "challenge": api.MemberChallengeView,
            "suspend": api.SuspendView,
            "confirm": api.ConfirmView,
            "lift": api.LiftView,
            "alarm": api.DoubtView,
        }.items()
    ),
]
