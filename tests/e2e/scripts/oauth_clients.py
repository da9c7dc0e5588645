"""Real clients at a provider: google-auth and requests-oauthlib. Prints what each of them made of the answers, as JSON.

Arguments: which provider, its origin.
"""

import json
import os
import sys

import google.auth.exceptions
import google.auth.transport.requests
import google.oauth2.credentials
import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session
from requests_oauthlib.compliance_fixes import facebook_compliance_fix

provider, origin = sys.argv[1:]
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["OAUTHLIB_RELAX_TOKEN_SCOPE"] = "1"
SECRET = "canary-client-secret"


def connect(scope, pkce, **parameters):
    """The whole code flow; the session and the token that came."""
    session = OAuth2Session("client id+1", redirect_uri="http://127.0.0.1:9/callback", scope=scope, pkce=pkce)
    if provider == "facebook":
        session = facebook_compliance_fix(session)
    address, _ = session.authorization_url(f"{origin}/authorize", **parameters)
    location = requests.get(address, allow_redirects=False, timeout=60).headers["Location"]
    token = session.fetch_token(
        f"{origin}/token",
        authorization_response=location.replace("http:", "https:"),
        client_secret=SECRET,
        include_client_id=True,
        timeout=60,
    )
    return session, dict(token)


def google_credentials(token):
    return google.oauth2.credentials.Credentials(
        None,
        refresh_token=token["refresh_token"],
        token_uri=f"{origin}/token",
        client_id="client id+1",
        client_secret=SECRET,
        scopes=["openid", "email"],
    )


def at_google():
    session, token = connect(["openid", "email"], "S256", access_type="offline", prompt="consent")
    credentials = google_credentials(token)
    transport = google.auth.transport.requests.Request()
    credentials.refresh(transport)
    renewed = credentials.valid and credentials.token != token["access_token"]
    granted = credentials.granted_scopes
    account = session.get(f"{origin}/userinfo").json()
    requests.post(f"{origin}/revoke", data={"token": token["refresh_token"]}, timeout=60).raise_for_status()
    try:
        google_credentials(token).refresh(transport)
        refusal = None
    except google.auth.exceptions.RefreshError as error:
        refusal = [error.args[0], error.retryable]
    return {"renewed": renewed, "granted": granted, "email": account["email"], "refusal": refusal}


def at_facebook():
    session, token = connect(["ads_read"], None)
    long = requests.get(
        f"{origin}/token",
        params={
            "grant_type": "fb_exchange_token",
            "client_id": "client id+1",
            "client_secret": SECRET,
            "fb_exchange_token": token["access_token"],
        },
        timeout=60,
    ).json()
    account = session.get(f"{origin}/userinfo").json()
    session.delete(f"{origin}/revoke").raise_for_status()
    return {"type": token["token_type"], "days": long["expires_in"] // 86_400, "account": account, "after": session.get(f"{origin}/userinfo").json()}


def at_github():
    session, token = connect(["repo", "gist"], None)
    account = session.get(f"{origin}/userinfo").json()
    renewed = session.refresh_token(f"{origin}/token", client_id="client id+1", client_secret=SECRET) if "refresh_token" in token else {}
    try:
        refusal = None
        session.refresh_token(f"{origin}/token", token.get("refresh_token", "ghr_unknown"), client_id="client id+1", client_secret=SECRET)
    except OAuth2Error as error:
        refusal = [error.error, error.description]
    return {
        "scope": token.get("scope"),
        "expires_in": token.get("expires_in"),
        "id": account["id"],
        "renewed": renewed.get("refresh_token"),
        "refusal": refusal,
    }


def at_rotating():
    session, token = connect(["data"], "S256")
    body = {"client_id": "client id+1", "client_secret": SECRET}
    renewed = session.refresh_token(f"{origin}/token", **body)["refresh_token"]
    try:
        session.refresh_token(f"{origin}/token", token["refresh_token"], **body)
        reused = None
    except OAuth2Error as error:
        reused = error.error
    try:
        session.refresh_token(f"{origin}/token", renewed, **body)
        family = None
    except OAuth2Error as error:
        family = error.error
    return {"renewed": renewed, "reused": reused, "family": family}


print(json.dumps({"google": at_google, "facebook": at_facebook, "github": at_github, "rotating": at_rotating}[provider]()))
