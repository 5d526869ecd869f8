"""The order desk of a small company: orders, attachments, confirmation mails, a nightly export."""

__version__ = "1"
