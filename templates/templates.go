// Package templates holds the text and data that land on servers and in reports.
package templates

import "embed"

// Components is the catalogue of what `opsctl install` knows, a YAML file each, in the folder components.
//
//go:embed components/*.yaml
var Components embed.FS

// Treemap is the page of pkg/report/treemap: an HTML skeleton with marks, its style and its script, in the folder reports.
//
//go:embed reports/treemap.html reports/treemap.css reports/treemap.js
var Treemap embed.FS

// Raftplay is the page of pkg/report/raftplay, in the folder reports as well.
//
//go:embed reports/raftplay.html reports/raftplay.css reports/raftplay*.js
var Raftplay embed.FS
