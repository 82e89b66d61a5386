import { defineConfig } from 'vitest/config'

// Worker threads need compiled JavaScript on Node 20, so the tests run from dist, after a build.
export default defineConfig({
  test: {
    include: ['dist/test/**/*.test.js'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // Node itself loads what is under test: through vitest's own loader a quarter of the time goes
    // into loading it again for each file, and each use of an import costs a look-up.
    server: { deps: { external: [/\/dist\/(?!test\/.*\.test\.js$)/] } },
    reporters: process.env.CI
      ? ['default', ['json', { outputFile: '.test-report.json' }]]
      : ['default'],
  },
})
