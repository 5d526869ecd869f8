"""S3's protocol over the repository: who asks, what for, and how it is answered."""
