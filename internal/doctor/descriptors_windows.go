package doctor

// descriptorLimit is the number of handles that Windows gives a process.
func descriptorLimit() (uint64, error) { return 1 << 24, nil }
