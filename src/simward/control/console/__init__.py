"""The console: pages for people, made on the server from what the API's routes read and write."""
