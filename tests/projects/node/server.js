'use strict'

const fs = require('fs')
const http = require('http')

const MODEL = '/opt/ml/model/weights.json'
const { weights, intercept } = JSON.parse(fs.readFileSync(MODEL, 'utf8'))

class Refused extends Error {
  constructor (status, message) {
    super(message)
    this.status = status
  }
}

function decode (contentType, body) {
  switch (contentType.split(';')[0].trim().toLowerCase()) {
    case 'text/csv':
      return body.toString().split('\n').filter(Boolean).map(line => line.split(',').map(Number))
    case 'application/json':
      try {
        const parsed = JSON.parse(body)
        return Array.isArray(parsed) ? parsed : parsed.instances
      } catch {
        throw new Refused(400, 'not JSON')
      }
    default:
      throw new Refused(415, `cannot read ${contentType}`)
  }
}

function predict (rows) {
  const fits = row => Array.isArray(row) && row.length === weights.length && row.every(Number.isFinite)
  if (!Array.isArray(rows) || rows.length === 0 || !rows.every(fits)) {
    throw new Refused(400, `want rows of ${weights.length} numbers`)
  }
  return rows.map(row => row.reduce((sum, x, i) => sum + weights[i] * x, intercept))
}

function answer (response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(value === undefined ? '' : JSON.stringify(value))
}

function invoke (request, response) {
  const parts = []
  request.on('data', part => parts.push(part))
  request.on('end', () => {
    try {
      const rows = decode(request.headers['content-type'] || 'application/json', Buffer.concat(parts))
      answer(response, 200, { predictions: predict(rows) })
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      answer(response, error.status, { error: error.message })
    }
  })
}

const server = http.createServer((request, response) => {
  if (request.url === '/ping' && request.method === 'GET') answer(response, 200)
  else if (request.url === '/invocations' && request.method === 'POST') invoke(request, response)
  else answer(response, 404, { error: 'no such path' })
})

process.on('SIGTERM', () => server.close())
server.listen(8080, '0.0.0.0', () => console.log('listening'))
