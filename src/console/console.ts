document.title = "coze-token-worker";
