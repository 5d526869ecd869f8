"""What a person types."""


def main() -> None: ...
