"""Records go on from the store to what somebody has already: Elasticsearch, Splunk, syslog."""
