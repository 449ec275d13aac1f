"""What the controller's own tests share: generated data is judged by its effect, not by a busy machine's speed."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("noisy machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("noisy machine")
