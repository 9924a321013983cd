"""The spiking experiments of LPL (Halvagal & Zenke, Nature Neuroscience 2023): its rule, its network, its pairings."""
