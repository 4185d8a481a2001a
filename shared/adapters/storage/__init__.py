"""Azure Storage behind the ports: tables, queues and blobs."""
