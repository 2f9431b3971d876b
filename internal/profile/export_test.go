package profile

// The vocabulary, for the test of the reference.
func Known() map[string]string             { return known }
func KnownFields() map[string]string       { return fields }
func KnownPlaceholders() map[string]string { return placeholders }
