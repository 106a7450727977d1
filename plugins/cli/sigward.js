#!/usr/bin/env node
// The command `sigward`. This file is run as it stands, by any Node, so it holds nothing that an old one cannot parse.
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import module from 'node:module'
import { homedir } from 'node:os'

const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map(Number)

/** The `engines` range of package.json, `^22.22.2 || ^24.15 || >=26`; a test keeps the two equal. */
const supported =
  major >= 26 ||
  (major === 24 && minor >= 15) ||
  (major === 22 && (minor > 22 || (minor === 22 && patch >= 2)))

if (supported) {
  useCompileCache()
  const sources = new URL('./main.ts', import.meta.url)
  await import(existsSync(sources) ? sources.href : '../../dist/plugins/cli/main.js')
} else {
  process.stderr.write(
    `sigward needs node ^22.22.2, ^24.15 or >=26, and this is node ${process.versions.node}\n` +
      'hint: install one of these; in a checkout, "npm ci" brings one and "npx sigward" uses it\n',
  )
  process.exitCode = 2
}

/** Compiled code is code: it is read only from folders that nobody else can write, else not at all. */
function useCompileCache() {
  try {
    const { XDG_CACHE_HOME: xdg } = process.env
    const base = xdg !== undefined && xdg.startsWith('/') ? xdg : `${homedir()}/.cache`
    const parent = `${base}/sigward`
    const folder = `${parent}/compile-cache`
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (isOwn(parent) && isOwn(folder)) module.enableCompileCache(folder)
  } catch {
    // Only start-up time is lost.
  }
}

/**
 * @param {string} folder
 * @returns {boolean}
 */
function isOwn(folder) {
  const { uid, mode } = lstatSync(folder)
  return uid === process.getuid?.() && (mode & 0o170777) === 0o040700
}
