package scenarios

// Hash is a number drawn from the seed and the place it is for: the arrival's
// index, or user and turn. It knows neither time nor shard, so what request n is
// stays the same however the plan is striped. It is splitmix64
// (Steele, Lea, Flood 2014), once per word.
func Hash(seed uint64, n ...uint64) uint64 {
	h := mix(seed)
	for _, v := range n {
		h = mix(h ^ v)
	}
	return h
}

func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
