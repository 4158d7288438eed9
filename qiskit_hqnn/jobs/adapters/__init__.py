"""The seam to a device, and what stands behind it: Aer, snapshots, any sampler, IBM hardware."""
