// Package templates holds the text and data that land on servers.
package templates

import "embed"

// Components is the catalogue of what `opsctl install` knows, a YAML file each, in the folder components.
//
//go:embed components/*.yaml
var Components embed.FS
