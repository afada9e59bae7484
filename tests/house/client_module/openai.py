"""A stand-in for the package `openai`, as far as the documents use it: real requests, and names checked as strictly."""
import json
import urllib.request
from types import SimpleNamespace

KNOWN = {"model", "messages", "max_tokens", "temperature", "metadata", "extra_headers"}


class OpenAI:
    def __init__(self, *, base_url, api_key):
        self._base, self._key = base_url, api_key
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def _create(self, *, extra_headers=None, **fields):
        if not {"model", "messages"} <= set(fields) <= KNOWN:
            raise TypeError(f"create() got {sorted(fields)}")
        head = {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}", **(extra_headers or {})}
        request = urllib.request.Request(self._base + "/chat/completions", json.dumps(fields).encode(), head)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer, object_hook=lambda fields: SimpleNamespace(**fields))
