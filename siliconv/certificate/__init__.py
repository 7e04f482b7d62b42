"""The certificate: what was compared, what it speaks about, and whether it still holds."""
