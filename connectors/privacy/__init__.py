"""Privacy at the door: people become keyed pseudonyms, what is refused is sealed, before Kafka sees it."""
