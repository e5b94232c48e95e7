"""The words: what a comment, an event, an id and a refusal are; imports nothing else of ours."""
