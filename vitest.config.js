import { defineConfig } from 'vitest/config'

// Worker threads need compiled JavaScript on Node 20, so the tests run from dist, after a build.
export default defineConfig({
  test: {
    include: ['dist/test/**/*.test.js'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // One process runs many files: starting one for each took a fifth of all the time. No file
    // leaves anything behind for the next one, neither open engines nor changed globals.
    isolate: false,
    // Node itself loads what is under test: through vitest's own loader a quarter of the time goes
    // into loading it again for each file, and each use of an import costs a look-up.
    server: { deps: { external: [/\/dist\/(?!test\/.*\.test\.js$)/] } },
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.test-report.json' }]]
      : ['default'],
  },
})
