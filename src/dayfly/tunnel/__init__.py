"""The site-to-site tunnel: standard IKEv2 and IPsec by strongSwan."""
