// Looks at the exchange, places an order and takes it back, as a user of kalshi-typescript would; prints one JSON object of what it saw.
// Usage: node kalshi-typescript-client.js REST-ROOT KEY-ID PRIVATE-KEY-FILE
'use strict';
const kalshi = require('kalshi-typescript');

const [root, apiKey, privateKeyPath] = process.argv.slice(2);
const signed = new kalshi.Configuration({ basePath: root, apiKey, privateKeyPath });

async function everyMarket(markets) {
  const found = [];
  let cursor;
  do {
    const page = (await markets.getMarkets(5, cursor)).data;
    found.push(...page.markets);
    cursor = page.cursor;
  } while (cursor);
  return found;
}

const sizeAt = (levels, price) => (levels.find(level => level[0] === price) ?? [price, '0.00'])[1];

async function main() {
  const markets = new kalshi.MarketApi(signed);
  const all = await everyMarket(markets);
  const { ticker, event_ticker: eventTicker, yes_bid_dollars: price } = all[0];
  const book = async () => (await markets.getMarketOrderbook(ticker)).data.orderbook_fp;
  const seen = { tickers: all.map(market => market.ticker) };
  seen.market = (await markets.getMarket(ticker)).data.market.ticker;
  seen.books = (await markets.getMarketOrderbooks(seen.tickers)).data.orderbooks.map(entry => entry.ticker);
  seen.eventMarkets = (await new kalshi.EventsApi(signed).getEvent(eventTicker, true)).data.event.markets.map(market => market.ticker);
  seen.tradingActive = (await new kalshi.ExchangeApi(signed).getExchangeStatus()).data.trading_active;

  const orders = new kalshi.OrdersApi(signed);
  const order = {
    ticker, price, side: 'bid', count: '12.50', client_order_id: 'first',
    time_in_force: 'good_till_canceled', self_trade_prevention_type: 'taker_at_cross', post_only: true,
  };
  seen.sizeBefore = sizeAt((await book()).yes_dollars, price);
  const placed = await orders.createOrderV2(order);
  seen.placed = { status: placed.status, fill: placed.data.fill_count, remaining: placed.data.remaining_count };
  seen.sizeWhileResting = sizeAt((await book()).yes_dollars, price);
  seen.order = (await orders.getOrder(placed.data.order_id)).data.order;
  seen.resting = (await orders.getOrders(ticker, undefined, undefined, undefined, 'resting')).data.orders.map(found => found.client_order_id);
  const duplicate = await orders.createOrderV2(order).catch(error => error.response);
  seen.duplicate = { status: duplicate.status, code: duplicate.data.error.code };
  const canceled = await orders.cancelOrderV2(placed.data.order_id);
  seen.canceled = { status: canceled.status, reduced: canceled.data.reduced_by };
  seen.sizeAfter = sizeAt((await book()).yes_dollars, price);

  // The library signs with the key that is in its configuration, and an axios instance keeps that: a fresh one signs nothing.
  const unsigned = new kalshi.OrdersApi(new kalshi.Configuration({ basePath: root }), root, require('axios').create());
  const refused = await unsigned.getOrders().catch(error => error.response);
  seen.unsigned = { status: refused.status, code: refused.data.code };
  console.log(JSON.stringify(seen));
}

main().catch(error => {
  console.error(error.response ? `${error.response.status} ${JSON.stringify(error.response.data)} to ${error.config.method} ${error.config.url}` : error);
  process.exitCode = 1;
});
