"""The record of jobs: tables, leases, blobs."""
