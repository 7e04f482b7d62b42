"""The certificate: what was compared, what it speaks about, and whether it still holds."""

from siliconv.certificate.certificate import Certificate

__all__ = ["Certificate"]
