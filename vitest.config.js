import { defineConfig } from 'vitest/config'

// Worker threads need compiled JavaScript on Node 20, so the tests run from dist, after a build.
export default defineConfig({
  test: {
    include: ['dist/test/**/*.test.js'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // Two tests of an engine that stops under load were seen to fail once in about ten runs, one for
    // a reason not yet known: until it is, CI asks twice. Locally nothing is repeated.
    retry: process.env.CI ? 1 : 0,
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.test-report.json' }]]
      : ['default'],
  },
})
