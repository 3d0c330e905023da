#!/bin/sh
# The raw relay of relay_bet.cc as a peer of the benchmark harness (BENCH_EXTRA_PEERS names this
# folder). RELAY_BET names the binary; BENCH_HOME the harness, whose ports.env has the ports.
. "${BENCH_HOME:-$(dirname "$0")/..}/ports.env"
P=$((GW_PORT+160))
case $1 in
  version) echo "relay_bet" ;;
  install) test -x "${RELAY_BET:?}" ;;
  exec) exec "${RELAY_BET:?}" "$P" "$UP_OK" $((P+1)) "$UP_P20" $((P+2)) "$UP_SLOW" ;;
  target) u=http://127.0.0.1; case $2 in
    chat_o2o|sse_o2o) echo "$u:$P/v1/chat/completions" ;;
    chat_a2a|big_a2a|sse_a2a) echo "$u:$P/v1/messages" ;;
    psse_o2o) echo "$u:$((P+1))/v1/chat/completions" ;;
    psse_a2a) echo "$u:$((P+1))/v1/messages" ;;
    slow_o2o) echo "$u:$((P+2))/v1/chat/completions" ;;
  esac ;;
esac
