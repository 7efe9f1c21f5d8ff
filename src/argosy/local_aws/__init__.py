"""AWS without the cloud: moto, a registry, the simulator and a strict Marketplace behind one URL of this machine."""
