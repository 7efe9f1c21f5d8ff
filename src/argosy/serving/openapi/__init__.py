"""The server's surface as an OpenAPI 3.1 document, which it answers at `/openapi.json`.

Source:
    OpenAPI Specification 3.1.1, https://spec.openapis.org/oas/v3.1.1.html (read 2026-11-22).
"""
