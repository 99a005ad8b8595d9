"""CAMARA's interfaces: IoT SIM Fraud Prevention 0.1.0, Device Swap 1.0.0, SIM Swap 2.1.0."""
