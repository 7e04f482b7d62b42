"""The certificate: what was compared, what it speaks about, and whether it still holds."""

from siliconv.certificate.certificate import Certificate
from siliconv.certificate.certification import certify

__all__ = ["Certificate", "certify"]
