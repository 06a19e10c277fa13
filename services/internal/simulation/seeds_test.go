//go:build !race

package simulation

// defaultSeeds is how many runs every change is held to.
const defaultSeeds = 1000
