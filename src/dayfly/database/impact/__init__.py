"""What a migration does to the live database: `assess` asks, the folders below it answer."""
