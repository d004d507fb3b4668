"""What is published to those below: articles and surveys."""
